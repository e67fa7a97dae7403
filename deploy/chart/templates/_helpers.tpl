{{- /*
Of every object, beside those that the manifests of deploy/ give it, which it `has` already. Selectors have none of these: they
cannot be changed later. Users may add `more`, and say what it is a part of; what Helm and selectors go by stays.
*/ -}}
{{- define "keepalive.labels" -}}
{{- $labels := dict "app.kubernetes.io/instance" .root.Release.Name }}
{{- $_ := set $labels "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- $usual := dict "app.kubernetes.io/part-of" "keepalive-operator" }}
{{- $all := merge $labels (.more | default dict) (.root.Values.commonLabels | default dict) $usual }}
{{- include "keepalive.besides" (dict "has" .has "more" $all) }}
{{- end }}

{{- /* Of `more`, what is not there yet: a key that is there twice is refused. */ -}}
{{- define "keepalive.besides" -}}
{{- $others := dict }}
{{- range $key, $value := .more }}
{{- if not (has $key $.has) }}{{ $_ := set $others $key $value }}{{ end }}
{{- end }}
{{- with $others }}{{ toYaml . }}{{ end }}
{{- end }}

{{- /* Annotations of the controller's pods: where Prometheus asks follows the port, unless users say something else. */ -}}
{{- define "keepalive.scraped" -}}
{{- $port := dict }}
{{- if eq (toString (get .annotations "prometheus.io/port")) "8080" }}{{ $_ := set $port "prometheus.io/port" (toString .port) }}{{ end }}
{{- toYaml (merge $port .annotations) }}
{{- end }}

{{- /* [variables that users set, a name]: whether it is one of theirs. */ -}}
{{- define "keepalive.isSet" -}}
{{- $name := index . 1 }}
{{- range index . 0 }}{{ if eq (toString .name) $name }}yes{{ end }}{{ end }}
{{- end }}

{{- /*
By the version: what renders without a cluster knows no more. Of a cluster Helm and Argo CD know each kind by its name as well, and an API
server that emulates an older version, as in an upgrade by two steps, tells its own and serves no policies.
*/ -}}
{{- define "keepalive.admission" -}}
{{- $served := .Capabilities.APIVersions -}}
{{- $hasPolicies := $served.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
{{- $knowsKinds := $served.Has "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration" -}}
{{- $isNew := semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version -}}
{{- if ne .Values.admission "auto" -}}
{{ .Values.admission }}
{{- else if and $isNew (or $hasPolicies (not $knowsKinds)) -}}
policy
{{- else -}}
webhook
{{- end -}}
{{- end }}

{{- /*
Whether a kind is part of the release. An upgrade to one that has it no more deletes it, and every object of it, unless what is in the
cluster says that it stays: whatever crds.keep says by then is not written there any more. What the release has not made stays anyway.
*/ -}}
{{- define "keepalive.kind" -}}
{{- if .root.Values.crds.enabled -}}
yes
{{- else if .root.Release.IsUpgrade -}}
{{- $there := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" .name -}}
{{- $says := dig "metadata" "annotations" dict $there -}}
{{- $isOurs := and (eq (get $says "meta.helm.sh/release-name") .root.Release.Name) (eq (get $says "meta.helm.sh/release-namespace") .root.Release.Namespace) -}}
{{- if and $isOurs (ne (get $says "helm.sh/resource-policy") "keep") -}}
{{- fail (printf "crds.enabled=false would delete CustomResourceDefinition %s, and all that is of it, since this release has made it without crds.keep. To keep the kinds and every policy, upgrade with crds.enabled=true and crds.keep=true first; to have them go, delete them first, as docs/uninstall.md says" .name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "keepalive.image" -}}
{{- $released := index .Chart.Annotations "keepalive.dev/image-digest" -}}
{{- with .Values.image -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository -}}
{{- if .digest }}@{{ .digest }}{{ else if .tag }}:{{ .tag }}{{ else if $released }}@{{ $released }}{{ else }}:{{ $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}
