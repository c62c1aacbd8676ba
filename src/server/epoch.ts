/**
 * A config epoch: the settings and hooks in force from one load to the next. `loadEpoch` reads the
 * config file in a thread of its own and has it judged with all that lies over it (settings/judge.ts);
 * either all of it is right and an epoch comes back, or all its errors do. Called at start, on
 * SIGHUP (the old epoch stays where the new one has errors) and by the command line.
 */
import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { HOOK_NAMES, type HookName } from '../hook/hook.ts'
import type { Hooks } from '../hook/hooks.ts'
import { type Loaded, loadConfig } from '../hook/load.ts'
import type { Clock } from '../world/clock.ts'
import { type Log, silent } from '../world/log.ts'
import { configsIn, currentFolder, environment, readText } from '../world/node/config-file.ts'
import { configThreads } from '../world/node/config-thread.ts'
import { nearest, type SettingError } from './settings/errors.ts'
import type { Judge } from './settings/judge.ts'
import { judgeAside } from './settings/judge-aside.ts'
import type { Raw } from './settings/override.ts'
import type { Settings } from './settings/settings.ts'

/** Where an epoch comes from: the flags of `start`. */
export interface EpochSource {
  /** The config file; absent: the one in the current folder, if there is one. */
  readonly config?: string | undefined
  readonly demo?: boolean | undefined
  readonly data?: string | undefined
  readonly ports?: 'auto' | undefined
  readonly smarthost?: string | undefined
  readonly user?: string | undefined
  /** `PATH=VALUE`, in order; over everything else. */
  readonly set?: readonly string[] | undefined
}

export interface Epoch {
  readonly settings: Settings
  /** Absent where the config has no hooks. */
  readonly hooks: Hooks | undefined
  /** Changes with any setting and with the file's text: shown in traces. */
  readonly hash: string
  /** Changes with what all nodes of a cluster should have in common, hooks included (cluster/node.ts). */
  readonly shared: string
  /** The file it was read from. */
  readonly file: string | undefined
  readonly warnings: readonly string[]
}

export type EpochResult = Epoch | { readonly errors: readonly SettingError[] }

/** What a config file says, before it is judged. */
interface Said {
  readonly raw: Raw
  readonly text: string
  readonly loaded?: Extract<Loaded, { ok: true }>
  /** What is wrong with its hooks; told with what else is. */
  readonly faults?: readonly SettingError[]
}

/** Loads an epoch. Never rejects for what a config does or says. */
export async function loadEpoch(
  source: EpochSource,
  world: { readonly clock: Clock; readonly log?: Log },
  judge: Judge = judgeAside,
): Promise<EpochResult> {
  const file = findConfig(source)
  if (typeof file === 'object') return { errors: [file] }
  const said = file === undefined ? { raw: {}, text: '' } : await read(file, world.clock)
  if ('errors' in said) return said
  const base = file === undefined ? currentFolder() : dirname(file)
  const judged = await judge({ source, raw: said.raw, base })
  const { faults = [] } = said
  if ('errors' in judged || faults.length > 0) {
    said.loaded?.discard()
    return { errors: [...('errors' in judged ? judged.errors : []), ...faults] }
  }
  const { settings } = judged
  const hooked = (said.loaded?.hooks.length ?? 0) > 0
  return {
    settings,
    file,
    hash: hashOf(settings, said.text),
    shared: hashOf(sharedPart(settings), hooked ? said.text : ''),
    hooks: await hooksOf(said, settings, world),
    warnings: [
      ...(said.loaded?.said.map(line => `the config printed: ${line}`) ?? []),
      ...judged.warnings,
    ],
  }
}

async function toml(text: string): Promise<unknown> {
  const { parse } = await import('smol-toml')
  return parse(text)
}

function hashOf(settings: object, text: string): string {
  const hash = createHash('sha256').update(JSON.stringify(settings)).update(text)
  return hash.digest('hex').slice(0, 12)
}

/** Without what may well differ from node to node: names, places, listeners, certificates. */
function sharedPart(settings: Settings): object {
  const {
    hostname: _name,
    data: _data,
    database: _database,
    user: _user,
    banner: _banner,
    listeners: _listeners,
    tls: _tls,
    dns: _dns,
    log: _log,
    outbound: { hostname: _outbound, sourceAddress: _source, ...outbound },
    ...shared
  } = settings
  return { ...shared, outbound }
}

function findConfig(source: EpochSource): string | undefined | SettingError {
  const named = source.config ?? environment('POSTRIDER_CONFIG')
  if (named !== undefined && named !== '') return resolve(currentFolder(), named)
  // The demo is the demo wherever it is started.
  if (source.demo === true) return undefined
  const found = configsIn(currentFolder())
  if (found.length < 2) return found[0]
  const message = `there is more than one config here: ${found.join(', ')}`
  return { path: '', message, remedy: 'name one with --config FILE, or remove the others' }
}

async function read(
  file: string,
  clock: Clock,
): Promise<Said | { readonly errors: readonly SettingError[] }> {
  const fail = (message: string, remedy?: string) => ({
    errors: [{ path: '', message: `${file}: ${message}`, ...(remedy && { remedy }) }],
  })
  const source = readText(file)
  if ('reason' in source) return fail(source.reason, 'make one with `postrider init`')
  const { text } = source
  if (/\.(?:json|toml)$/i.test(file)) {
    try {
      const raw = file.toLowerCase().endsWith('json') ? JSON.parse(text) : await toml(text)
      if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
        return fail('must be a group of settings')
      }
      // smol-toml's groups have no prototype; a plain copy is what the rest expects.
      const data = { ...(JSON.parse(JSON.stringify(raw)) as Raw) }
      if (!('hooks' in data)) return { raw: data, text }
      return fail('hooks are functions', 'write the config as postrider.config.ts')
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error))
    }
  }
  if (!/\.[cm]?[jt]s$/i.test(file)) {
    return fail('is no kind of config', 'name it .ts, .mts, .js, .mjs, .json or .toml')
  }
  const open = configThreads(file, new URL('./config-face.ts', import.meta.url))
  const loaded = await loadConfig(open, clock)
  if (!loaded.ok) return fail(loaded.reason)
  const isKnown = (name: string) => HOOK_NAMES.includes(name as HookName)
  const unknown = loaded.hooks.filter(name => !isKnown(name))
  const wrong = loaded.wrong.filter(isKnown)
  const faults = [
    ...unknown.map(name => ({
      path: `hooks.${name}`,
      message: 'there is no such hook',
      remedy: nearest(name, HOOK_NAMES) ?? `known are ${HOOK_NAMES.join(', ')}`,
    })),
    ...wrong.map(name => ({ path: `hooks.${name}`, message: 'must be a function' })),
  ]
  return { raw: loaded.data as Raw, text, loaded, faults }
}

async function hooksOf(
  { loaded }: Said,
  settings: Settings,
  world: { readonly clock: Clock; readonly log?: Log },
): Promise<Hooks | undefined> {
  if (loaded === undefined) return undefined
  if (loaded.hooks.length === 0) {
    loaded.discard()
    return undefined
  }
  const { Hooks } = await import('../hook/hooks.ts')
  const hooks = new Hooks({
    open: loaded.open,
    clock: world.clock,
    log: world.log ?? silent,
    names: loaded.hooks as readonly HookName[],
    budgetMs: settings.hookBudget,
  })
  hooks.warm()
  return hooks
}
