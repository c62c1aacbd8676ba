/**
 * The structured log as JSON lines on standard error (or any descriptor), by pino. Implements
 * world/log.ts. Writes are synchronous, so that the last line before an end is never lost; values
 * under names such as `password` are blotted out whoever logs them, and what a peer said drives no terminal that it is read on.
 */
import { destination, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino'
import { plainJson } from '../../wire/unseen.ts'
import type { Facts, Log } from '../log.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LogOptions {
  readonly level?: LogLevel
  /** The descriptor written to; 2 by default. */
  readonly fd?: number
  /** Written to in place of `fd`: for tests. */
  readonly write?: (line: string) => void
}

/** A log of JSON lines: `{"level","time","event", ...facts}`. */
export function nodeLog(options: LogOptions = {}): Log {
  return wrap(
    pino(
      {
        level: options.level ?? 'info',
        base: null,
        messageKey: 'event',
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: label => ({ level: label }), log: facts => blotted(facts, 0) },
        serializers: { error: stdSerializers.err },
        hooks: { streamWrite: plainJson },
      },
      options.write ? { write: options.write } : descriptor(options.fd ?? 2),
    ),
  )
}

function descriptor(fd: number) {
  const stream = destination({ fd, sync: true })
  // A reader of the log that went away (EPIPE) is no reason to stop carrying mail.
  stream.on('error', () => {})
  return stream
}

function wrap(logger: Logger): Log {
  return {
    debug: (event, facts = {}) => logger.debug(facts, event),
    info: (event, facts = {}) => logger.info(facts, event),
    warn: (event, facts = {}) => logger.warn(facts, event),
    error: (event, facts = {}) => logger.error(facts, event),
    with: facts => wrap(logger.child(blotted(facts, 0))),
  }
}

const SECRETS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'authorization',
  'credential',
  'credentials',
  'privatekey',
  'verifier',
  'cookie',
]

function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replaceAll('_', '').replaceAll('-', '')
  return SECRETS.some(secret => plain.endsWith(secret))
}

/** The same facts with secrets blotted out, three objects deep; copied only where it must be. */
function blotted(facts: Facts, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const [name, value] of Object.entries(facts)) {
    let shown = value
    if (isSecret(name) && value !== undefined) shown = '[secret]'
    else if (depth < 3 && isPlain(value)) shown = blotted(value, depth + 1)
    if (shown === value) continue
    copy ??= { ...facts }
    copy[name] = shown
  }
  return copy ?? (facts as Record<string, unknown>)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  )
}
