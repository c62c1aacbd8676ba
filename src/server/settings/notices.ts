/** The settings of notices to senders (RFC 3461 to 3464): their words, and how much of a message they return. Used by settings.ts. */
import { z } from 'zod'
import { isAscii } from '../../mail/address.ts'
import { formatMailbox, parseAddressList } from '../../message/address-list.ts'
import { textFault } from '../../message/notice-text.ts'
import { duration, size } from './kinds.ts'

/** A text with placeholders; `block` is the paragraph it must have. */
const text = (block?: 'recipients' | 'message') =>
  z
    .string()
    .min(1)
    .max(10_000)
    .superRefine((value, context) => {
      const message = textFault(value, block)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })

const kind = (what: string) =>
  z
    .strictObject({
      subject: text()
        .refine(value => !/[\u0000-\u001f\u007f]/.test(value), 'must be one line')
        .exactOptional()
        .describe('Its subject, where it is the gravest thing told.'),
      text: text('recipients')
        .exactOptional()
        .describe('Its text: paragraphs, of which `{recipients}` is one.'),
    })
    .prefault({})
    .describe(what)

/** `From:` of notices: one mailbox in ASCII, or with a display name in any script. */
const mailbox = () =>
  z.string().transform((value, context) => {
    const { mailboxes, fault } = parseAddressList(value)
    const [only] = mailboxes
    if (fault === undefined && only !== undefined && mailboxes.length === 1) {
      const written = formatMailbox(only)
      if (isAscii(written) && !/[{}]/.test(written)) return written
    }
    const message = `"${value}" is no mailbox, such as Postmaster <postmaster@example.org>`
    context.issues.push({ code: 'custom', message, input: value })
    return z.NEVER
  })

/** `notices`. */
export const noticesSchema = z.strictObject({
  from: mailbox()
    .exactOptional()
    .describe('Who they are from; absent: `Mail Delivery System <postmaster@HOSTNAME>`.'),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(?:-[a-z0-9]{1,8})*$/i, 'is no language, such as en or pt-BR')
    .default('en')
    .describe('The language of your texts (RFC 5646); only English has advice of ours in it.'),
  gather: duration()
    .prefault('10s')
    .describe('How long word of a recipient waits for that of others, to tell all at once; 0 not.'),
  returnUpTo: size(0)
    .prefault('64KB')
    .describe('Of a failed message that is larger only the header comes back.'),
  undeliverable: z
    .enum(['record', 'postmaster'])
    .default('record')
    .describe('A notice that cannot be delivered is on record, or the postmaster is told too.'),
  opening: text().exactOptional().describe('What every notice begins with.'),
  closing: text('message')
    .exactOptional()
    .describe('What every notice ends with; `{message}` is a paragraph that names the message.'),
  failure: kind('What could not be delivered.'),
  delay: kind('What is late.'),
  success: kind('What was delivered, where the sender wants to hear of it.'),
  relayed: kind('What went on to a system that will not tell of it.'),
  expanded: kind('What an alias or list has sent on.'),
  doubleBounce: kind('A notice that could not be delivered, to the postmaster.'),
})
