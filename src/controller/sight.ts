import type { Subject } from '../policy/witness.ts';
import { isSeen, seenIn } from '../policy/witness.ts';

/** An API server takes up new bindings once a second; with room to spare. */
const takesUpMs = 2000;
/** Silence for so long is told: a hiccup of a second is not worth a status write for each policy. */
const silentMs = 3000;
/** While there is silence the question is put anew so often: somebody may have taken the binding away. */
const renewMs = 5000;

/** A binding by which the API server is asked. */
export interface Standing {
  readonly subject: Subject;
  readonly nonce: string;
  readonly since: number;
}

/** Of the standing question. */
interface Facts {
  readonly now: number;
  /** The policy that it names. */
  readonly isThere: boolean;
  /** Something was written since that it is no answer to. */
  readonly isOvertaken: boolean;
}

/** What an answer showed: a policy of the kind is acted by; for long enough none is; or neither for certain. */
export type Finding = 'seen' | 'silent' | 'open';

/**
 * In one pass the API server may have the witness ready and what changes pods not yet, where the kind was not known to it
 * at the beginning and is at the end. In the next it has both.
 */
const passesToBelieve = 2;

/** What the API server was seen to do with one kind of policy. Times are of a clock that never steps. */
export class Sight {
  #standing: Standing | undefined;
  #isAnswered = false;
  #passesLeft = passesToBelieve;
  #silentSince: number | undefined;
  #isSilent = false;

  get standing(): Standing | undefined {
    return this.#standing;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Whether it is to be asked again soon, whoever waits for it. */
  get isOpen(): boolean {
    return this.#passesLeft > 0 || this.#silentSince !== undefined;
  }

  /** The API server may be another one, or begun anew. */
  doubt(): void {
    this.#passesLeft = passesToBelieve;
  }

  /** What is to be done so that the standing question is one about `subject`, or about what it answers for as well. */
  stepFor(subject: Subject, { now, isThere, isOvertaken }: Facts): 'keep' | 'follow' | 'bind' {
    const standing = this.#standing;
    if (standing === undefined || !isThere || this.#isUsedUp(standing, now)) return 'bind';
    if (!isOvertaken) return 'keep';
    // Of a namespaced policy nothing is bound that a binding would have to be newer than.
    return subject.kind === 'KeepalivePolicy' && subject.uid === standing.subject.uid ? 'follow' : 'bind';
  }

  #isUsedUp({ since }: Standing, now: number): boolean {
    if (this.#isAnswered) return this.#passesLeft > 0;
    // Somebody may have taken the binding away.
    return this.#silentSince !== undefined && now - since > renewMs;
  }

  stand(standing: Standing): void {
    this.#standing = standing;
    this.#isAnswered = false;
  }

  /** The same binding, asked for a later version of the policy that it names. */
  follow(subject: Subject, now: number): void {
    if (this.#standing !== undefined) this.#standing = { ...this.#standing, subject, since: now };
  }

  /** Takes in what came back. */
  look(pod: Parameters<typeof seenIn>[0], now: number): Finding {
    if (this.#standing === undefined) return 'open';
    const { subject, since } = this.#standing;
    if (isSeen(subject, seenIn(pod, subject.kind))) return this.#sound();
    const hadItsTime = this.#silentSince !== undefined || now - since > takesUpMs;
    if (!hadItsTime) return 'open';
    this.#silentSince ??= now;
    this.#isAnswered = false;
    if (now - this.#silentSince < silentMs) return 'open';
    this.#isSilent = true;
    this.doubt();
    return 'silent';
  }

  #sound(): Finding {
    this.#silentSince = undefined;
    if (!this.#isAnswered && this.#passesLeft > 0) this.#passesLeft -= 1;
    this.#isAnswered = true;
    if (this.#passesLeft > 0) return 'open';
    this.#isSilent = false;
    return 'seen';
  }
}
