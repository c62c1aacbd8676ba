/**
 * A quick look through a message as it stands, for SEARCH: where nothing in it is encoded, a text that is not in
 * its octets is not in what they mean. Nearly every message of a large mailbox is out by this, before
 * its structure is looked for. It never says that a text is there.
 */

/**
 * What may mean something else than it says: an encoded-word (RFC 2047), a transfer encoding, a charset that is
 * not ASCII where its octets are, an octet beyond ASCII.
 */
const CODED =
  /=\?|content-transfer-encoding:(?![ \t]*(?:7bit|8bit|binary)[ \t]*\r?\n)|charset(?![ \t]*=[ \t]*"?(?:us-ascii|utf-8|iso-8859-\d+|windows-125\d)["\s;<>'])|[\x80-\xff]/

export class PlainText {
  readonly #text: string
  #coded: boolean | undefined
  #unfolded: string | undefined

  constructor(octets: Uint8Array) {
    const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    this.#text = buffer.toString('latin1').toLowerCase()
  }

  /**
   * Whether the text (in lower case) is surely nowhere in header and body. A text that a fold of a header
   * may divide is looked for without folds too; one that holds a line end is not looked for.
   */
  lacks(text: string): boolean {
    if (this.#text.includes(text) || /[\r\n]/.test(text)) return false
    this.#coded ??= CODED.test(this.#text)
    if (this.#coded) return false
    if (!/[ \t]/.test(text)) return true
    this.#unfolded ??= this.#text.replace(/\r?\n(?=[ \t])/g, '')
    return !this.#unfolded.includes(text)
  }
}
