/** Whether a recipient may be taken by the time its sender has set (RFC 7293). Called by reception.ts. */
import type { Directory } from '../account/directory.ts'
import { tenureFault, tenureOf } from '../account/tenure.ts'
import type { Recipient } from '../mail/envelope.ts'
import { accept, refuse, type Verdict } from '../mail/verdict.ts'

/** §5.1 (2): 550 for a mailbox that has had another owner since. */
export async function judgeTenure(directory: Directory, recipient: Recipient): Promise<Verdict> {
  const tenure = await tenureOf(directory, recipient)
  if (tenure === 'held') return accept()
  const { detail, text } = tenureFault(tenure, recipient.forwardPath)
  return refuse(550, detail, text)
}
