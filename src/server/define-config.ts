/**
 * `defineConfig`: the identity, for the types' sake. It stands apart so that a config's own thread
 * loads this small file and not the whole server.
 */
import type { Config } from './settings/settings.ts'

/** Gives the config back as it is; an editor then knows every setting and every hook. */
export function defineConfig(config: Config): Config {
  return config
}
