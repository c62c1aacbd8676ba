/**
 * The terminal, arguments and environment of the process that a command runs in. Used by cli/
 * only; a server's own output goes through its log and the start command.
 */
import { spawnSync } from 'node:child_process'
import { fstatSync, readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'

export interface Terminal {
  /** Arguments behind the command's name. */
  readonly args: readonly string[]
  /** The name it was called by: 'postrider', 'sendmail', 'mailq'. */
  readonly front: string
  /** True where a person sits at it. */
  readonly interactive: boolean
  out(text: string): void
  err(text: string): void
  /** Octets on standard input, whole; rejects over `maxOctets`. */
  input(maxOctets: number): Promise<Buffer>
  /** Octets on standard input as they come. */
  inputChunks(): AsyncIterable<Uint8Array>
  /** Writes octets as they are. */
  outOctets(octets: Uint8Array): void
  /** Asks for a line; what is typed is not shown where `secret`. */
  ask(prompt: string, secret: boolean): Promise<string>
  env(name: string): string | undefined
  /** The user's login name, and the full name of the password file where it has one. */
  user(): { readonly name: string; readonly fullName: string; readonly uid: number }
  hostname(): string
  /** Runs once when the user interrupts (Ctrl-C) or the system asks to end. */
  onInterrupt(run: () => void): void
  /** The code the process will end with. */
  setExit(code: number): void
  /** Ends the process now; what was written has left. */
  exit(code: number): never
}

/** More than a command was ready to take from standard input. */
export class InputTooLarge extends Error {}

function fullNameOf(name: string): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find(entry => entry.startsWith(`${name}:`))
    return (line?.split(':')[4] ?? '').split(',')[0] ?? ''
  } catch {
    return ''
  }
}

/** A container may run us under a number that no password file has a name for. */
function whoRuns(): { readonly username: string; readonly uid: number } {
  try {
    return userInfo()
  } catch {
    const uid = process.getuid?.() ?? 0
    return { username: process.env['LOGNAME'] || process.env['USER'] || `uid${uid}`, uid }
  }
}

/** The next line; nothing where input ends before one. */
async function askLine(prompt: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  const ended = new Promise<string>(resolve => reader.once('close', () => resolve('')))
  try {
    return await Promise.race([reader.question(prompt), ended])
  } finally {
    reader.close()
  }
}

async function askSecret(prompt: string): Promise<string> {
  const quiet = process.stdin.isTTY && spawnSync('stty', ['-echo'], { stdio: 'inherit' })
  try {
    return await askLine(prompt)
  } finally {
    if (quiet) {
      spawnSync('stty', ['echo'], { stdio: 'inherit' })
      process.stderr.write('\n')
    }
  }
}

/** The terminal of this process. */
export function nodeTerminal(): Terminal {
  const front = process.env['POSTRIDER_FRONT'] ?? 'postrider'
  delete process.env['POSTRIDER_FRONT']
  const args = process.argv.slice(2)
  let deaf = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const went = error.code === 'EPIPE'
    // A server is there to carry mail, whoever listens to what it says of its start.
    const serves = front === 'postrider' && args[0] === 'start'
    if (!deaf && (serves || !went)) {
      process.stderr.write(`${front}: cannot write to standard output: ${String(error.code)}\n`)
    }
    deaf = true
    // A reader that went away (`| head`) is no failure of ours; what has no room is (EX_IOERR).
    if (!serves) process.exit(went ? 0 : 74)
  })
  return {
    args,
    front,
    interactive: process.stdin.isTTY === true,
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    outOctets: octets => void process.stdout.write(octets),
    inputChunks: () => process.stdin,
    async input(maxOctets) {
      // Node gives a folder's descriptor as an empty stream.
      if (fstatSync(0).isDirectory()) throw new Error('it is a folder')
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > maxOctets) throw new InputTooLarge()
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
    ask: (prompt, secret) => (secret ? askSecret(prompt) : askLine(prompt)),
    env: name => process.env[name],
    user() {
      const { username, uid } = whoRuns()
      return { name: username, fullName: fullNameOf(username), uid }
    },
    hostname,
    onInterrupt(run) {
      process.once('SIGINT', run)
      process.once('SIGTERM', run)
    },
    setExit(code) {
      process.exitCode = code
    },
    exit: code => process.exit(code),
  }
}
