/** Written dialogues, and what the fuzzer makes of them and of all else, in one process. run.ts calls it. */
import { filesOf, together } from './together.ts'

await together(filesOf('test/{transcript,fuzz}/*.test.ts'))
