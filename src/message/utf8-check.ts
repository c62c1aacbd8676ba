/**
 * Whether octets are UTF-8 (RFC 3629 §4), however they are cut. Used by message/survey.ts for text
 * that says no charset; TextDecoder would tell as well, but costs too much for many small parts.
 *
 *     UTF8-2 = %xC2-DF UTF8-tail
 *     UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) / %xED %x80-9F UTF8-tail / ...
 *     UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) / %xF4 %x80-8F 2( UTF8-tail )
 */
export class Utf8Check {
  #valid = true
  /** Octets of the present character still to come, and what the next of them may be. */
  #tail = 0
  #least = 0x80
  #most = 0xbf

  push(octets: Uint8Array): void {
    if (!this.#valid) return
    for (const octet of octets) {
      if (this.#tail > 0) {
        if (octet < this.#least || octet > this.#most) this.#valid = false
        this.#tail -= 1
        this.#least = 0x80
        this.#most = 0xbf
      } else if (octet > 0x7f) this.#lead(octet)
    }
  }

  end(): boolean {
    return this.#valid && this.#tail === 0
  }

  #lead(octet: number): void {
    if (octet < 0xc2 || octet > 0xf4) this.#valid = false
    this.#tail = octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3
    if (octet === 0xe0) this.#least = 0xa0
    if (octet === 0xed) this.#most = 0x9f
    if (octet === 0xf0) this.#least = 0x90
    if (octet === 0xf4) this.#most = 0x8f
  }
}
