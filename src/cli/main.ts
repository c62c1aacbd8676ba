/**
 * The command line. bin/postrider starts it; called by the name of `sendmail`, `mailq` or
 * `newaliases` it is that command. Whatever happens ends in one clear message and an exit code of
 * sysexits (exit.ts).
 */

import { nodeClock } from '../world/node/clock.ts'
import { serverProcess } from '../world/node/host.ts'
import { nodeTerminal } from '../world/node/terminal.ts'
import { runSendmail } from './command/sendmail.ts'
import { EXIT } from './exit.ts'
import type { Face } from './face.ts'
import { json, printable } from './print.ts'

/** What a failure means to the caller: the exit code, and the message unless it was printed. */
function failure(error: unknown): {
  readonly exit: number
  readonly message?: string
  readonly errors?: unknown
} {
  // commander has said it already.
  if (error instanceof Error && 'exitCode' in error) {
    return { exit: error.exitCode === 0 ? EXIT.ok : EXIT.usage }
  }
  if (error instanceof Error && 'exit' in error && typeof error.exit === 'number') {
    const { exit, message } = error
    return 'errors' in error ? { exit, message, errors: error.errors } : { exit, message }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exit: EXIT.software, message: `this is a bug: ${message}` }
}

async function main(): Promise<void> {
  const terminal = nodeTerminal()
  const face: Face = { terminal, clock: nodeClock }
  const { front, args } = terminal
  try {
    if (front === 'sendmail' && args[0] === '--help') {
      const { program } = await import('./program.ts')
      await (await program(face, 'sendmail')).parseAsync(['sendmail', '--help'], { from: 'user' })
    } else if (front === 'sendmail' || front === 'mailq' || front === 'newaliases') {
      const implied = front === 'mailq' ? ['-bp'] : front === 'newaliases' ? ['-bi'] : []
      await runSendmail(face, [...implied, ...args])
    } else if (args[0] === 'sendmail' && args[1] !== '--help') {
      // Its flags are older than any parser of options: it reads them itself.
      await runSendmail(face, args.slice(1))
    } else {
      const { program } = await import('./program.ts')
      const root = await program(face, args[0])
      await root.parseAsync([...args], { from: 'user' })
    }
  } catch (error) {
    const { exit, message, errors } = failure(error)
    terminal.setExit(exit)
    if (message === undefined) return
    if (args.includes('--json')) terminal.out(json({ error: { message, exit, errors } }))
    const name = front === 'postrider' ? front : `postrider ${front}`
    for (const line of printable(message, true).split('\n')) terminal.err(`${name}: ${line}\n`)
    // A start that failed has sockets and threads open; whoever watches it is told by its end.
    if (args[0] === 'start') serverProcess.exit(exit)
  }
}

await main()
