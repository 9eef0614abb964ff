import { type Notice, noticeOf, type Remedies } from "./notices.js";

const MAX_NOTICES = 3;

/** The sentences that stand on the page, newest last; the same one only once. */
export class NoticeBoard {
  readonly #read: () => readonly Notice[];
  readonly #write: (notices: readonly Notice[]) => void;
  #count = 0;

  constructor(read: () => readonly Notice[], write: (notices: readonly Notice[]) => void) {
    this.#read = read;
    this.#write = write;
  }

  /** An error, with the buttons that follow from it. */
  tell(error: unknown, remedies: Remedies): void {
    this.#count += 1;
    const notice = noticeOf(this.#count, error, remedies);
    if (notice) this.#put(notice);
  }

  /** Something to know, such as a LoRA that is gone. */
  warn(message: string, hint: string): void {
    this.#count += 1;
    const words = { tone: "warning", message, hint, fault: null } as const;
    this.#put({
      id: this.#count,
      topic: "warning",
      ...words,
      points: [],
      suggested: [],
      actions: [],
    });
  }

  dismiss(id: number): void {
    this.#write(this.#read().filter((one) => one.id !== id));
  }

  /** Take down what is settled, by its topic. */
  forget(settled: (topic: string) => boolean): void {
    const notices = this.#read();
    const left = notices.filter(({ topic }) => !settled(topic));
    if (left.length < notices.length) this.#write(left);
  }

  #put(notice: Notice): void {
    const others = this.#read().filter(({ message }) => message !== notice.message);
    this.#write([...others, notice].slice(-MAX_NOTICES));
  }
}
