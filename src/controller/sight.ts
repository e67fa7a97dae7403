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
  /** Namespaces of which it tells nothing. */
  readonly without: ReadonlySet<string>;
}

/** Of the standing question. */
interface Facts {
  readonly now: number;
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
  /** Somebody waits for the answer: of the policy that is named now, none came yet. */
  #isAsked = false;
  #passedOver: ReadonlySet<string> = new Set();
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

  /**
   * Namespaces whose policy went away while it was asked about: until there was an answer, others are asked about, or whoever makes
   * policies and deletes them again would keep everybody from one.
   */
  get passedOver(): ReadonlySet<string> {
    return this.#passedOver;
  }

  /** Nobody else is left to ask about. */
  passOverNobody(): void {
    this.#passedOver = new Set();
  }

  /** What is to be done so that the standing question is one about `subject`, or about what it answers for as well. */
  stepFor(subject: Subject, { now, isOvertaken }: Facts): 'keep' | 'follow' | 'bind' {
    const standing = this.#standing;
    if (standing === undefined || this.#isUsedUp(standing, now)) return 'bind';
    // It is one about all that was written before it: overtaken each time that somebody writes, it would never be answered.
    if (!isOvertaken || this.#isAsked) return 'keep';
    // Of a namespaced policy nothing is bound that a binding would have to be newer than.
    return subject.kind === 'KeepalivePolicy' && subject.uid === standing.subject.uid ? 'follow' : 'bind';
  }

  #isUsedUp({ since }: Standing, now: number): boolean {
    if (this.#isAnswered) return this.#passesLeft > 0;
    // Somebody may have taken the binding away.
    return this.#silentSince !== undefined && now - since > renewMs;
  }

  /** The policy that is named is not there any more. */
  lose(): void {
    if (this.#standing !== undefined && this.#isAsked)
      this.#passedOver = new Set([...this.#passedOver, this.#standing.subject.namespace]);
    this.#standing = undefined;
    this.#isAsked = false;
  }

  stand(standing: Standing): void {
    this.#standing = standing;
    this.#isAnswered = false;
    this.#isAsked = true;
  }

  /** The same binding, asked for a later version of the policy that it names. */
  follow(later: Pick<Standing, 'subject' | 'since' | 'without'>): void {
    if (this.#standing === undefined) return;
    this.#standing = { ...this.#standing, ...later };
    this.#isAsked = true;
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
    this.#isAsked = true;
    if (now - this.#silentSince < silentMs) return 'open';
    this.#isSilent = true;
    this.doubt();
    return 'silent';
  }

  #sound(): Finding {
    this.#silentSince = undefined;
    if (!this.#isAnswered && this.#passesLeft > 0) this.#passesLeft -= 1;
    this.#isAnswered = true;
    this.#isAsked = false;
    this.passOverNobody();
    if (this.#passesLeft > 0) return 'open';
    this.#isSilent = false;
    return 'seen';
  }
}
