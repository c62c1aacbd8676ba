/** Standard input, whole, for commands that read it: what is wrong with it is no bug, but its giver's to mend. */
import { ExitError } from '../server/exit-error.ts'
import { formatSize } from '../wire/measure.ts'
import { InputTooLarge } from '../world/node/terminal.ts'
import { EXIT } from './exit.ts'
import type { Face } from './face.ts'

export async function readInput({ terminal }: Face, maxOctets: number): Promise<Buffer> {
  try {
    return await terminal.input(maxOctets)
  } catch (error) {
    if (error instanceof InputTooLarge) {
      throw new ExitError(EXIT.data, `standard input has more than ${formatSize(maxOctets)}`)
    }
    // A folder, a terminal that is gone, a disk that fails.
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExitError(EXIT.ioError, `standard input cannot be read: ${reason}`)
  }
}
