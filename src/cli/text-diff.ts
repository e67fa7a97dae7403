/** In a file of its own, since it is loaded only where a difference is shown. */
export { createTwoFilesPatch } from 'diff';
