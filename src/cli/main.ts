/**
 * The command line. bin/postrider starts it; called by the name of `sendmail`, `mailq` or
 * `newaliases` it is that command. Whatever happens ends in one clear message and an exit code of
 * sysexits (exit.ts).
 */

import { STORE_EXIT } from '../server/store-exit.ts'
import { nodeClock } from '../world/node/clock.ts'
import { serverProcess } from '../world/node/host.ts'
import { onSignals } from '../world/node/process.ts'
import { nodeTerminal } from '../world/node/terminal.ts'
import { EXIT } from './exit.ts'
import type { Face } from './face.ts'
import { json, printable } from './print.ts'

/** What the system refuses is no bug of ours: another user's folder, a full disk, a path that is none. */
const SYSTEM: Readonly<Record<string, number>> = {
  EACCES: EXIT.noPermission,
  EPERM: EXIT.noPermission,
  EROFS: EXIT.cantCreate,
  ENOENT: EXIT.osError,
  ENOTDIR: EXIT.osError,
  EISDIR: EXIT.osError,
  ELOOP: EXIT.osError,
  ENAMETOOLONG: EXIT.osError,
  EMFILE: EXIT.osError,
  ENFILE: EXIT.osError,
  ERR_WORKER_INIT_FAILED: EXIT.osError,
  ENOSPC: EXIT.ioError,
  EDQUOT: EXIT.ioError,
  EFBIG: EXIT.ioError,
  EIO: EXIT.ioError,
}

/** What a failure means to the caller: the exit code, and the message unless it was printed. */
function failure(error: unknown): {
  readonly exit: number
  readonly message?: string
  readonly errors?: unknown
  /** commander has said it already. */
  readonly told?: true
} {
  if (error instanceof Error && 'exitCode' in error) {
    if (error.exitCode === 0) return { exit: EXIT.ok }
    return { exit: EXIT.usage, message: error.message.replace(/^error: /, ''), told: true }
  }
  if (error instanceof Error && 'exit' in error && typeof error.exit === 'number') {
    const { exit, message } = error
    return 'errors' in error ? { exit, message, errors: error.errors } : { exit, message }
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = error instanceof Error && 'reason' in error ? String(error.reason) : ''
  const refused = SYSTEM[code] ?? STORE_EXIT[reason]
  if (refused !== undefined && error instanceof Error)
    return { exit: refused, message: error.message }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exit: EXIT.software, message: `this is a bug: ${message}` }
}

/** A client of SMTP: other commands need not load it. */
async function sendmail(face: Face, args: readonly string[]): Promise<void> {
  const { runSendmail } = await import('./command/sendmail.ts')
  await runSendmail(face, args)
}

async function main(): Promise<void> {
  const terminal = nodeTerminal()
  const { front, args } = terminal
  let hungUp = false
  const face: Face = { terminal, clock: nodeClock, hungUp: () => hungUp }
  // Whoever changes a config and says so should not have to know whether the server has come up yet.
  if (args[0] === 'start')
    onSignals(['SIGHUP'], () => {
      hungUp = true
    })
  try {
    if (front === 'sendmail' && args[0] === '--help') {
      const { program } = await import('./program.ts')
      await (await program(face, 'sendmail')).parseAsync(['sendmail', '--help'], { from: 'user' })
    } else if (front === 'sendmail' || front === 'mailq' || front === 'newaliases') {
      const implied = front === 'mailq' ? ['-bp'] : front === 'newaliases' ? ['-bi'] : []
      await sendmail(face, [...implied, ...args])
    } else if (args[0] === 'sendmail' && args[1] !== '--help') {
      // Its flags are older than any parser of options: it reads them itself.
      await sendmail(face, args.slice(1))
    } else {
      const { program } = await import('./program.ts')
      const root = await program(face, args[0])
      await root.parseAsync([...args], { from: 'user' })
    }
  } catch (error) {
    const { exit, message, errors, told } = failure(error)
    terminal.setExit(exit)
    if (message === undefined) return
    if (args.includes('--json')) terminal.out(json({ error: { message, exit, errors } }))
    if (told) return
    const name = front === 'postrider' ? front : `postrider ${front}`
    for (const line of printable(message, true).split('\n')) terminal.err(`${name}: ${line}\n`)
    // A start that failed has sockets and threads open; whoever watches it is told by its end.
    if (args[0] === 'start') serverProcess.exit(exit)
  }
}

await main()
