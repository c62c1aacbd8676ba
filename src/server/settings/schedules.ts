/** The settings of `queue.schedules`: other times for some destinations. Used by settings.ts, read by server/schedules.ts. */
import { z } from 'zod'
import { addressPattern, texts } from './hops.ts'
import { duration } from './kinds.ts'

const match = z
  .strictObject({
    recipient: texts(addressPattern())
      .exactOptional()
      .describe('Patterns of recipients, such as `@example.org` and `*@*.example.org`.'),
    hop: texts(z.string().min(1))
      .exactOptional()
      .describe('Names of `outbound.hops` that the mail goes by.'),
  })
  .refine(({ recipient, hop }) => recipient !== undefined || hop !== undefined, {
    message: 'is empty: say recipient, hop, or both',
  })

export const retrySchema = () => z.array(duration(1)).min(1)

export const jitterSchema = () => z.number().min(0).max(0.5)

export const schedulesSchema = z.array(
  z.strictObject({
    match: match.describe('Which recipients: all that is said must hold.'),
    retry: retrySchema().exactOptional().describe('Waits between attempts; the last one repeats.'),
    jitter: jitterSchema().exactOptional().describe('The share of each wait left to chance.'),
    delayWarning: duration()
      .exactOptional()
      .describe('When the sender is told of a delay; 0 never.'),
    expire: duration(1).exactOptional().describe('When it is given up and reported.'),
  }),
)
