/** For a cluster in which nothing of ours is: the one command of README.md, from where it is built. */
export const installCommand =
  'helm install keepalive deploy/chart -n keepalive-system --create-namespace --set image.registry=REGISTRY';
