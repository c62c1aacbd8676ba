/**
 * The config epoch in force (epoch.ts), and the change to the next one: at once and whole, or not at
 * all where the next one has errors. Everybody asks for settings and hooks through here, so that a
 * change counts for mail already queued.
 */
import type { Hooks } from '../hook/hooks.ts'
import type { Log } from '../world/log.ts'
import { nodeClock } from '../world/node/clock.ts'
import { type Epoch, type EpochSource, loadEpoch } from './epoch.ts'
import { ExitError } from './exit-error.ts'
import { formatSettingError, formatSettingErrors } from './settings/errors.ts'
import type { Judge } from './settings/judge.ts'
import type { Settings } from './settings/settings.ts'

export class CurrentEpoch {
  readonly #source: EpochSource
  #epoch: Epoch

  /** Use `first`. */
  constructor(source: EpochSource, epoch: Epoch) {
    this.#source = source
    this.#epoch = epoch
  }

  /** Loads the first one; rejects with an ExitError that has every error of the config. */
  static async first(source: EpochSource, judge?: Judge): Promise<CurrentEpoch> {
    const result = await loadEpoch(source, { clock: nodeClock }, judge)
    if (!('errors' in result)) return new CurrentEpoch(source, result)
    throw new ExitError(78, formatSettingErrors(result.errors), result.errors)
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  readonly settings = (): Settings => this.#epoch.settings

  readonly hooks = (): Hooks | undefined => this.#epoch.hooks

  /** Loads the config again. `prepare` may still refuse it by rejecting; then the old one stays. */
  async next(log: Log, prepare: (settings: Settings) => Promise<void>): Promise<boolean> {
    const next = await loadEpoch(this.#source, { clock: nodeClock, log })
    if ('errors' in next) {
      log.error('reload.refused', { errors: next.errors.map(formatSettingError) })
      return false
    }
    await prepare(next.settings)
    this.close()
    this.#epoch = next
    log.info('reloaded', { epoch: next.hash, warnings: next.warnings })
    return true
  }

  /** Ends the hooks' thread. */
  close(): void {
    this.#epoch.hooks?.close()
  }
}
