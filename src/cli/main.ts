/**
 * The command line. bin/postrider starts it; called by the name of `sendmail`, `mailq` or
 * `newaliases` it is that command. Whatever happens ends in one clear message and an exit code of
 * sysexits (exit.ts).
 */

import { nodeClock } from '../world/node/clock.ts'
import { serverProcess } from '../world/node/host.ts'
import { onSignals } from '../world/node/process.ts'
import { nodeTerminal } from '../world/node/terminal.ts'
import type { Face } from './face.ts'
import { failure } from './failure.ts'
import { json, printable } from './print.ts'

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
