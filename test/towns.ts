/** All of the simulated internet, in one process. run.ts calls it. */
import { filesOf, together } from './together.ts'

await together(filesOf('test/{sim,journey}/*.test.ts'))
