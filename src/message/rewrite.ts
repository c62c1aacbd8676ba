/**
 * The second walk through a message that a next hop cannot take as it is: does with each entity what
 * message/survey.ts has planned. Bodies are encoded, and their headers say so; nothing else is
 * changed, and no entity is moved. Called by transport/fitting.ts.
 */
import type { Transform } from '../wire/effect.ts'
import type { Entity, FieldName } from './entity.ts'
import { plainField } from './plain-field.ts'
import { deeds, endsLine, isContinuation, type Survey } from './survey.ts'
import {
  base64,
  canonicalLines,
  mendedBase64,
  mendedQuotedPrintable,
  quotedPrintable,
  type Recoding,
} from './transfer.ts'
import { type Gap, type Visitor, Walker } from './walker.ts'

/** Puts the message through, however it is cut. */
export function rewriting(survey: Survey & { readonly kind: 'convert' }): Transform {
  const rewriter = new Rewriter(survey.plan)
  const walker = new Walker(rewriter)
  return {
    push(octets) {
      walker.push(octets)
      return rewriter.take()
    },
    end() {
      walker.end()
      return rewriter.take()
    },
  }
}

const CRLF = Buffer.from('\r\n')

const labelled = deeds.quotedPrintable | deeds.base64 | deeds.label7bit | deeds.label8bit
const retyped = deeds.charsetUtf8 | deeds.charsetUnknown

class Rewriter implements Visitor {
  readonly #plan: Uint16Array
  #out: Uint8Array[] = []
  /** What is to be done with the entity whose header is under way. */
  #deed = 0
  #recoding: Recoding | undefined
  /** The field under way, where the header is to become ASCII. */
  #field: Uint8Array[] = []
  /** The last line of the header has no line end: the message ends within it. */
  #cut = false

  constructor(plan: Uint16Array) {
    this.#plan = plan
  }

  take(): Uint8Array {
    const out = Buffer.concat(this.#out)
    this.#out = []
    return out
  }

  begin(index: number): void {
    this.#deed = this.#deedOf(index)
    this.#cut = false
  }

  headerLine(octets: Uint8Array, field: FieldName): void {
    const replaced =
      (field === 'content-transfer-encoding' && (this.#deed & labelled) !== 0) ||
      (field === 'content-type' && (this.#deed & retyped) !== 0)
    if (replaced) return
    if ((this.#deed & deeds.plainHeader) === 0) this.#out.push(octets)
    else {
      if (!this.#cut && !isContinuation(octets)) this.#endField()
      // A copy: the octets are the walker's again when this returns.
      this.#field.push(Buffer.from(octets))
    }
    this.#cut = !endsLine(octets)
  }

  #endField(): void {
    if (this.#field.length > 0) this.#out.push(plainField(Buffer.concat(this.#field)))
    this.#field = []
  }

  headerEnd(entity: Entity, blank: Uint8Array): void {
    const deed = this.#deed
    this.#endField()
    const fields = this.#fields(entity)
    if (fields !== '' && this.#cut) this.#out.push(CRLF)
    if (fields !== '') this.#out.push(Buffer.from(fields, 'latin1'))
    this.#out.push(blank)
    if (entity.shape === 'leaf') this.#recoding = recodingOf(entity, deed)
    // A header that nothing has ended must not swallow the body as it is now.
    if (blank.length === 0 && fields !== '') this.#out.push(CRLF)
  }

  content(octets: Uint8Array, entity: Entity, gap: Gap): void {
    if (gap === undefined) {
      this.#out.push(this.#recoding === undefined ? octets : this.#recoding.push(octets))
      return
    }
    const drop = gap === 'preamble' ? deeds.dropPreamble : deeds.dropEpilogue
    if ((this.#deedOf(entity.index) & drop) === 0) this.#out.push(octets)
  }

  delimiter(octets: Uint8Array): void {
    this.#out.push(octets)
  }

  end(_entity: Entity, _delimited: boolean, last: boolean): void {
    if (this.#recoding !== undefined) this.#out.push(this.#recoding.end(last))
    this.#recoding = undefined
  }

  #deedOf(index: number): number {
    return this.#plan[index] ?? 0
  }

  /** Fields that stand in place of what was left out, or were missing. */
  #fields(entity: Entity): string {
    const deed = this.#deed
    let text = ''
    if ((deed & deeds.version) !== 0) text += 'MIME-Version: 1.0\r\n'
    if ((deed & retyped) !== 0) {
      const type = typeWith(entity, (deed & deeds.charsetUtf8) !== 0 ? 'utf-8' : 'unknown-8bit')
      const plain = (deed & deeds.plainHeader) !== 0
      text += plain ? plainField(Buffer.from(type, 'latin1')).toString('latin1') : type
    }
    const label = labelOf(deed)
    return label === undefined ? text : `${text}Content-Transfer-Encoding: ${label}\r\n`
  }
}

function labelOf(deed: number): string | undefined {
  if ((deed & deeds.quotedPrintable) !== 0) return 'quoted-printable'
  if ((deed & deeds.base64) !== 0) return 'base64'
  if ((deed & deeds.label8bit) !== 0) return '8bit'
  return (deed & deeds.label7bit) !== 0 ? '7bit' : undefined
}

/** The Content-Type field with a charset, which it had none of. */
function typeWith({ typeField }: Entity, charset: string): string {
  const field = typeField ?? 'Content-Type: text/plain'
  let to = field.length
  while (to > 0 && '; \t\r\n'.includes(field[to - 1] as string)) to--
  return `${field.slice(0, to)};\r\n charset=${charset}\r\n`
}

function recodingOf({ encoding }: Entity, deed: number): Recoding | undefined {
  if ((deed & deeds.mend) !== 0) {
    return encoding === 'base64' ? mendedBase64() : canonicalLines(mendedQuotedPrintable())
  }
  const encoder =
    (deed & deeds.quotedPrintable) !== 0
      ? quotedPrintable()
      : (deed & deeds.base64) !== 0
        ? base64()
        : undefined
  if (encoder === undefined) return undefined
  return (deed & deeds.canonical) !== 0 ? canonicalLines(encoder) : encoder
}
