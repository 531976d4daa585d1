/** Values by a number each, the smallest first (binary heap). */
export class Heap<T> {
  readonly #keys: number[] = [];
  readonly #values: T[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** The value of the smallest key. */
  get first(): T | undefined {
    return this.#values[0];
  }

  /** Infinity when empty. */
  get firstKey(): number {
    return this.#keys[0] ?? Infinity;
  }

  push(value: T, key: number): void {
    let at = this.#keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#keys[parent]! <= key) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  pop(): T | undefined {
    const first = this.#values[0];
    const key = this.#keys.pop();
    const value = this.#values.pop();
    if (this.#keys.length > 0) this.#sink(value!, key!); // there was one at least
    return first;
  }

  /** Gives the first value another key, not smaller than its own. */
  rekeyFirst(key: number): void {
    if (this.#keys.length > 0) this.#sink(this.#values[0]!, key);
  }

  /** Forgets every other value. */
  keep(isWanted: (value: T) => boolean): void {
    const kept = this.#values.flatMap((value, at) => (isWanted(value) ? [{ value, key: this.#keys[at]! }] : []));
    this.clear();
    for (const { value, key } of kept) this.push(value, key);
  }

  clear(): void {
    this.#keys.length = 0;
    this.#values.length = 0;
  }

  /** Puts a value where the first stood, and lets it sink to its place. */
  #sink(value: T, key: number): void {
    const { length } = this.#keys;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && this.#keys[child + 1]! < this.#keys[child]!) child++;
      if (this.#keys[child]! >= key) break;
      this.#move(child, at);
      at = child;
    }
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  #move(from: number, to: number): void {
    this.#keys[to] = this.#keys[from]!;
    this.#values[to] = this.#values[from]!;
  }
}
