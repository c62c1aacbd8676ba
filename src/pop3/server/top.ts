/**
 * The top of a message (RFC 1939 §7, TOP): its header, the blank line, and the first lines of its
 * body. The source is not read further than that, so that the top of a large message is cheap.
 */
import type { Source } from '../../wire/effect.ts'

const LF = 0x0a
const CR = 0x0d

/** The header, the blank line and `lines` lines of the body; the whole message if it has no more. */
export function topOf(content: Source, lines: number): Source {
  const cut = new Cut(lines)
  if (content instanceof Uint8Array) return content.subarray(0, cut.find(content) ?? content.length)
  return cutStream(content, cut)
}

async function* cutStream(
  content: AsyncIterable<Uint8Array>,
  cut: Cut,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const octets of content) {
    const end = cut.find(octets)
    if (end !== undefined) {
      yield octets.subarray(0, end)
      return
    }
    yield octets
  }
}

/** Finds where the top ends, over chunks cut anywhere. */
class Cut {
  #linesLeft: number
  #inHeader = true
  /** True while the present line has had nothing, or only the CR of its end. */
  #blank = true

  constructor(lines: number) {
    this.#linesLeft = lines
  }

  /** The index behind the last octet wanted, if it is in this chunk. */
  find(octets: Uint8Array): number | undefined {
    let from = 0
    while (from < octets.length) {
      const lf = octets.indexOf(LF, from)
      const end = lf < 0 ? octets.length : lf
      if (end - from > 1 || (end > from && octets[from] !== CR)) this.#blank = false
      if (lf < 0) return undefined
      if (!this.#inHeader) this.#linesLeft--
      else if (this.#blank) this.#inHeader = false
      if (!this.#inHeader && this.#linesLeft === 0) return lf + 1
      this.#blank = true
      from = lf + 1
    }
    return undefined
  }
}
