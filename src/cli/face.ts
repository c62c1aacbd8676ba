/**
 * What every command is given: the terminal, the clock, and the options that all of them have
 * (`--data`, `--config`, `--json`). A command is one file of command/ that adds itself to a program.
 */
import { type Command, InvalidArgumentError } from 'commander'
import type { Clock } from '../world/clock.ts'
import type { Terminal } from '../world/node/terminal.ts'
import { json } from './print.ts'

export interface Face {
  readonly terminal: Terminal
  readonly clock: Clock
  /** Whether a SIGHUP has come since a `start` began, which would have ended it. */
  readonly hungUp?: () => boolean
}

/** Options of every command that speaks of a server. */
export interface CommonOptions {
  readonly data?: string
  readonly config?: string
  readonly json?: boolean
}

/** A command adds itself, its options and its action to the program. */
export type AddCommand = (program: Command, face: Face) => void

/** A path as a flag: a variable of a script that is not set must not mean the current folder. */
export function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.')
  return text
}

/** Adds the common options. */
export function common(command: Command): Command {
  return command
    .option('--data <folder>', 'the data folder of the server', path)
    .option('--config <file>', 'its config file', path)
    .option('--json', 'print JSON')
}

/** Prints `value` as JSON, or what `human` makes of it. */
export function print<Value>(
  face: Face,
  options: CommonOptions,
  value: Value,
  human: (value: Value) => string,
): void {
  face.terminal.out(options.json === true ? json(value) : human(value))
}
