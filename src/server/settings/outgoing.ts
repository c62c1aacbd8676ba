/** The settings of what one account may send: `limits.outgoing`, and `limits.outgoingOf` for some. Used by settings.ts. */
import { z } from 'zod'
import { emailAddress } from './kinds.ts'

const MESSAGES = 'Messages of one account, at most; 0 is no limit.'
const RECIPIENTS = 'Recipients of all messages of one account, at most; 0 is no limit.'

const most = () => z.int().min(0).max(100_000_000)
const forAll = (meaning: string) => most().default(0).describe(meaning)
const forOne = (meaning: string) => most().exactOptional().describe(meaning)

export const outgoingSchema = z.strictObject({
  messagesPerHour: forAll(MESSAGES),
  messagesPerDay: forAll(MESSAGES),
  recipientsPerHour: forAll(RECIPIENTS),
  recipientsPerDay: forAll(RECIPIENTS),
})

export const outgoingOfSchema = z.record(
  emailAddress(),
  z.strictObject({
    messagesPerHour: forOne(MESSAGES),
    messagesPerDay: forOne(MESSAGES),
    recipientsPerHour: forOne(RECIPIENTS),
    recipientsPerDay: forOne(RECIPIENTS),
  }),
)
