/** The settings of submission: who may write as whom, and what becomes of what he may not. Used by settings.ts, read by server/identity-rules.ts. */
import { z } from 'zod'
import { parseAddressPattern } from '../../route/pattern.ts'
import { duration } from './kinds.ts'

const pattern = () =>
  z.string().refine(text => text !== '<>' && parseAddressPattern(text) !== undefined, {
    message:
      'is no pattern of addresses: write joe@example.org, @example.org for all of a domain, or news-*@example.org',
  })

const grants = () => z.record(pattern(), z.union([pattern(), z.array(pattern()).min(1)]))

/** `submission`, with its defaults. */
export const submissionSchema = z.strictObject({
  enforceSender: z
    .boolean()
    .default(true)
    .describe('Whether users may send only as addresses that they have a right to.'),
  identities: grants()
    .default({})
    .describe(
      'Which accounts may write as which addresses, beside their own and those of aliases that lead to them; patterns on both sides.',
    ),
  onBehalf: grants()
    .default({})
    .describe('The same on behalf of others: `Sender` then names who it was.'),
  mailFrom: z
    .enum(['reject', 'rewrite'])
    .default('reject')
    .describe('A reverse-path that the account may not use: 550 5.7.1, or its own in its place.'),
  from: z
    .enum(['reject', 'sender', 'rewrite'])
    .default('reject')
    .describe(
      'An author (`From`) at a domain of ours whom it may not use: 550 5.7.1, or `Sender` names the account, or its own address stands in its place.',
    ),
  foreignFrom: z
    .enum(['sender', 'reject', 'rewrite'])
    .default('sender')
    .describe('The same for an author elsewhere.'),
  holdMax: duration()
    .prefault('30d')
    .describe('How long a message may be held for its sender (FUTURERELEASE); 0 not at all.'),
})
