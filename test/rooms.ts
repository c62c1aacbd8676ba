/** The tests of every room, in one process. run.ts calls it. */
import { filesOf, together } from './together.ts'

await together(filesOf('src/**/*.test.ts'))
