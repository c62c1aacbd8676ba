/** What every store and every place of bodies promises, in one process and with one PostgreSQL. run.ts calls it. */
import { filesOf, together } from './together.ts'

await together(filesOf('test/contract/*.test.ts'))
