// What happened, in one order: a list in memory, or lines of a file that several nodes append to.
// Everybody reads it from its beginning and comes to the same state; so a node that is killed takes
// nothing with it, and the next one goes on.

import { appendFileSync, closeSync, fstatSync, openSync, readSync } from "node:fs";

const END = 0x0a;

export class Journal {
  #lines = [];
  #file;
  #read = 0;

  constructor(file) {
    this.#file = file;
  }

  // One write, so that two nodes never mix their lines.
  append(entry) {
    if (this.#file) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
    else this.#lines.push(entry);
  }

  // The entries since the last call.
  news() {
    if (!this.#file) return this.#lines.splice(0);
    return this.#tail().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  // All whole lines behind those that were read.
  #tail() {
    const file = openSync(this.#file, "a+");
    try {
      const fresh = Buffer.alloc(fstatSync(file).size - this.#read);
      const length = readSync(file, fresh, 0, fresh.length, this.#read);
      const whole = fresh.subarray(0, fresh.subarray(0, length).lastIndexOf(END) + 1);
      this.#read += whole.length;
      return whole.toString("utf8");
    } finally {
      closeSync(file);
    }
  }
}
