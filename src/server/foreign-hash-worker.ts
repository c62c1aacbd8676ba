/** The thread that checks foreign hashes, one after the other. Started by foreign-hash-thread.ts. */
import { checkForeignHash } from '../account/foreign-hash-check.ts'
import { here } from '../world/node/thread.ts'
import type { ForeignCheck, ForeignChecked } from './foreign-hash-thread.ts'

const thread = here()
thread.listen(message => {
  const { id, hash, password } = message as ForeignCheck
  const checked: ForeignChecked = { id, right: checkForeignHash(hash, password) }
  thread.post(checked)
})
