/**
 * Which server a command means: its data folder and its sockets. By `--data`, by `--config`, by
 * the environment, by a config in this folder, by a demo started here; else the system's own.
 */
import { type Epoch, loadEpoch } from '../server/epoch.ts'
import { ExitError } from '../server/exit-error.ts'
import { formatSettingErrors } from '../server/settings/errors.ts'
import type { Settings } from '../server/settings/settings.ts'
import { EXIT } from './exit.ts'
import type { CommonOptions, Face } from './face.ts'
import { demoHere } from './local-sockets.ts'

/** The settings of the server meant. Throws an `ExitError` with all errors of a wrong config. */
export async function locate(face: Face, options: CommonOptions): Promise<Settings> {
  return (await locateEpoch(face, options)).settings
}

/** The same with what the config is warned of. Its hooks are closed. */
export async function locateEpoch(
  face: Face,
  options: CommonOptions,
): Promise<Pick<Epoch, 'settings' | 'warnings'>> {
  const demo = demoHere(face, options)
  const data = options.data ?? demo
  const result = await loadEpoch(
    // `--data` alone means that folder, whatever config happens to lie here.
    { config: options.config, demo: options.config === undefined && data !== undefined, data },
    { clock: face.clock },
    // A command ends itself, and needs no thread that does.
    async written => (await import('../server/settings/judge.ts')).judge(written),
  )
  if ('errors' in result) {
    throw new ExitError(EXIT.config, formatSettingErrors(result.errors), result.errors)
  }
  result.hooks?.close()
  return result
}
