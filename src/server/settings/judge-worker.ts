/** The thread that judges one config (judge.ts) and ends. Started by judge-aside.ts. */
import { here } from '../../world/node/thread.ts'
import { judge, type Written } from './judge.ts'

const thread = here()
thread.listen(written => {
  thread.post(judge(written as Written))
  thread.end()
})
