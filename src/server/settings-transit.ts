/** The settings of addresses in transit (transit/): what is made of them, and whom they lead to. Used by settings.ts. */
import { z } from 'zod'
import { duration, hostname, secret } from './settings-kinds.ts'

/** `outbound.srs`. */
export const srsSchema = z.strictObject({
  domain: hostname()
    .transform(name => name.toLowerCase())
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
