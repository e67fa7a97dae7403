/**
 * What a parser makes of a text costs by its values, not by its bytes: 4 MiB of `{},` take it seconds and 100 MiB, and so many as here 0.4 s
 * where each is a name of its own. A pod that fills 1.5 MiB with entries of an environment, and as managed fields once more, has 120,000.
 */
export const mostValues = 200_000;
/** Fields of a pod, and who manages them, are less than 20 deep. Whoever goes through a value calls himself once a level. */
export const deepest = 200;

const code = (character: string) => character.charCodeAt(0);
const [quote, backslash, comma] = [code('"'), code('\\'), code(',')];
const [openBrace, closeBrace, openBracket, closeBracket] = [code('{'), code('}'), code('['), code(']')];

/** Whether a text is not to be parsed. Of one that is no JSON it may say either: parsing ends at the first fault. */
export function isTooHeavy(json: Uint8Array): boolean {
  let values = 0;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case quote:
        at = endOfString(json, at);
        break;
      case openBrace:
      case openBracket:
        values += 1;
        depth += 1;
        break;
      case closeBrace:
      case closeBracket:
        depth -= 1;
        break;
      case comma:
        values += 1;
        break;
      default:
    }
    if (values > mostValues || depth > deepest) return true;
  }
  return false;
}

/** Where the string ends that begins there. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at;
}
