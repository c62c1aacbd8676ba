/** The settings of addresses in transit (transit/): what is made of them, and whom they lead to. Used by settings.ts. */
import { z } from 'zod'
import { canonicalDomain } from '../../account/address.ts'
import { areDelimiters } from '../../mail/verp.ts'
import { duration, hostname, secret } from './kinds.ts'

/** `outbound.srs`. */
export const srsSchema = z.strictObject({
  domain: hostname()
    .transform(canonicalDomain)
    .describe('The domain of the addresses we make (SRS0, SRS1); its MX is to be this server.'),
  secrets: z
    .array(secret().refine(text => text.length >= 8, 'is too short: at least 8 characters'))
    .default([])
    .describe(
      'The first one signs, all are believed: to change it, write a new one in front. Absent: one is made and kept in the store.',
    ),
  hashLength: z
    .int()
    .min(4)
    .max(27)
    .default(8)
    .describe('Characters of the hash in an address; shorter ones are not believed.'),
  keep: duration(24 * 3_600_000)
    .prefault('21d')
    .describe('How long an address is good, in whole days; less than `queue.keepLedger`.'),
  takes: z
    .enum(['bounces', 'all'])
    .default('bounces')
    .describe('What may come back by such an address: bounces alone, or whatever is sent to it.'),
})

/** An address, or a pattern with one `*`. */
const PATTERN = /^(?!.*\*.*\*)[^\s<>@]+@[^\s<>@]+$/

const mapping = (what: string) =>
  z
    .record(
      z.string().regex(PATTERN, 'is no address or pattern, such as *@old.example'),
      z.string().regex(PATTERN, 'is no address, such as joe@example.org or *@new.example'),
    )
    .superRefine((written, context) => {
      for (const [from, to] of Object.entries(written)) {
        if (!to.includes('*') || from.includes('*')) continue
        const message = `${to} has a * and ${from} has none`
        context.addIssue({ code: 'custom', message, path: [from] })
      }
    })
    .default({})
    .describe(what)

/** `rewrite`. */
export const rewriteSchema = z.strictObject({
  sender: mapping('Addresses of senders: reverse-path, `From`, `Sender`, `Reply-To`.'),
  recipient: mapping('Addresses of recipients: the envelope, `To`, `Cc`.'),
  canonical: mapping(
    'Both: from an address or a pattern with one `*` to an address, `*` standing for the same.',
  ),
  masquerade: z
    .array(
      z.string().regex(/^!?[^\s@<>!]+$/, 'is no domain, such as example.org or !lab.example.org'),
    )
    .default([])
    .describe(
      'Domains whose hosts are not shown: joe@host.example.org is joe@example.org; `!` shows those below a domain.',
    ),
  exceptions: z
    .array(z.string().min(1))
    .default([])
    .describe('Local parts that show their host all the same, such as root.'),
  parts: z
    .array(z.enum(['envelope', 'header']))
    .default(['envelope', 'header'])
    .describe('What is rewritten.'),
  at: z
    .array(z.enum(['submission', 'local', 'smtp', 'lmtp']))
    .default(['submission', 'local'])
    .describe('Where. On `smtp` it breaks the signatures of others (RFC 6376).'),
})

/** `outbound.batv`. */
export const batvSchema = z.strictObject({
  domains: z.array(hostname()).min(1).describe('Domains of ours whose senders get a tag.'),
  secrets: z
    .array(secret().refine(text => text.length >= 8, 'is too short: at least 8 characters'))
    .default([])
    .describe('The first one signs, all are believed. Absent: one is made and kept in the store.'),
  keep: duration(24 * 3_600_000)
    .prefault('7d')
    .describe('How long a tag is good, in whole days.'),
  untagged: z
    .enum(['take', 'refuse'])
    .default('take')
    .describe(
      'A bounce to an address without a tag: `refuse` it once all mail has left with tags for some days.',
    ),
})

/** `outbound.verp`. */
export const verpSchema = z.strictObject({
  senders: z
    .array(
      z
        .string()
        .regex(
          /^(?:\*|[^\s<>@*]+)@[^\s<>@*]+$/,
          'is no address, such as news@example.org or *@lists.example',
        ),
    )
    .min(1)
    .describe(
      'Senders, or all of a domain (`*@lists.example`), whose recipients each have a reverse-path of their own.',
    ),
  delimiters: z
    .string()
    .refine(areDelimiters, 'are not two different signs, such as += or -=')
    .default('+=')
    .describe('What stands before the recipient, and in place of his `@`.'),
})
