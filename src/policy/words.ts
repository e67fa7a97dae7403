/** Texts that somebody else wrote, on their way into a status that many read. */

/** Without what could pass for a line of its own, or move a cursor, where somebody prints it. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{C}]+/gu, ' ').trim();
}

/** At most so many characters, the last one an ellipsis where some are left out. */
export function shortened(text: string, longest: number): string {
  // Nearly all are: no text has fewer places than characters.
  if (text.length <= longest) return text;
  // No character takes more than two places: whoever writes megabytes has them not taken apart.
  const characters = [...text.slice(0, 2 * longest + 1)];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}
