/**
 * What runs inside a config's own thread: it imports the config file, tells its data part and the
 * names of its hooks, then answers questions for as long as it is let. Started by
 * config-thread.ts; never loads the server.
 */
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { Asked, Told } from '../config-thread.ts'

const { configUrl, faceUrl } = workerData as { configUrl: string; faceUrl: string }

/** Wherever the config stands, `postrider` is this checkout. */
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'postrider') return { url: faceUrl, shortCircuit: true }
    if (specifier.startsWith('postrider/')) {
      return next(specifier, { ...context, parentURL: import.meta.url })
    }
    const resolved = next(specifier, context)
    // A config in a folder without package.json is a module all the same.
    if (resolved.url === configUrl && resolved.format === 'typescript') {
      return { ...resolved, format: 'module-typescript' }
    }
    return resolved
  },
})

/** A config cannot end its thread by way of the process: it gets an error at that line. */
process.exit = () => {
  throw new Error('a config must not call process.exit')
}

type HookFunction = (facts: unknown) => unknown
let hooks: Readonly<Record<string, HookFunction>> = {}

function tell(message: Told): void {
  parentPort?.postMessage(message)
}

/** Why something failed, with the place in the config where it did. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 500)
  const place =
    placeOf(error) ??
    error.stack
      ?.split('\n')
      .find(line => line.includes(configUrl))
      ?.trim()
  return `${error.message}${place === undefined ? '' : ` (${place})`}`.slice(0, 1000)
}

/** Where a text cannot be read: Node writes `FILE:LINE` and some lines, the one meant underlined, above the error's name. */
function placeOf(error: Error): string | undefined {
  if (!(error instanceof SyntaxError)) return undefined
  const [first = '', ...lines] = (error.stack ?? '').split('\n')
  const [, path, number] = /^(\/.+|file:.+):(\d+)$/.exec(first) ?? []
  if (path === undefined || number === undefined) return placeByParsing()
  const file = path.startsWith('file:') ? fileURLToPath(path) : path
  const line = lines[lines.findIndex(each => /^\s*\^+\s*$/.test(each)) - 1]?.trim()
  return `${file}:${number}${line === undefined ? '' : `: ${line}`}`
}

/** Of a module in JavaScript Node tells no place; its stripper of types reads it too, and does. */
function placeByParsing(): string | undefined {
  try {
    stripTypeScriptTypes(readFileSync(fileURLToPath(configUrl), 'utf8'))
  } catch (error) {
    const [, number] = /:(\d+)\n/.exec((error instanceof Error && error.stack) || '') ?? []
    if (number !== undefined) return `${fileURLToPath(configUrl)}:${number}`
  }
  return undefined
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Takes the functions; gives the names of what is none. */
function takeHooks(config: Record<string, unknown>): string[] {
  const given = config['hooks'] ?? {}
  if (!isGroup(given)) throw new Error('hooks: must be a group of functions')
  hooks = given as Record<string, HookFunction>
  return Object.keys(given).filter(name => typeof given[name] !== 'function')
}

async function load(): Promise<void> {
  const module: Record<string, unknown> = await import(configUrl)
  const given = module['default']
  const config = isGroup(given) && isGroup(given['default']) ? given['default'] : given
  if (!('default' in module)) {
    throw new Error('the file must have a default export: export default defineConfig({ ... })')
  }
  if (!isGroup(config)) throw new Error('the default export must be a group of settings')
  const wrong = takeHooks(config)
  const { hooks: _, ...data } = config
  tell({ kind: 'loaded', data: withoutFunctions(data), hooks: Object.keys(hooks), wrong })
}

/** Functions cannot be copied out; one in the data part is shown as such, for the validation. */
function withoutFunctions(value: unknown, depth = 0): unknown {
  if (typeof value === 'function') return '[function]'
  if (typeof value === 'symbol' || typeof value === 'bigint') return String(value)
  if (value === null || typeof value !== 'object') return value
  if (depth > 20) throw new Error('the config is nested too deep, or refers to itself')
  if (Array.isArray(value)) return value.map(item => withoutFunctions(item, depth + 1))
  const copy: [string, unknown][] = []
  for (const [name, item] of Object.entries(value)) {
    if (item !== undefined) copy.push([name, withoutFunctions(item, depth + 1)])
  }
  return Object.fromEntries(copy)
}

async function answer(question: Asked): Promise<void> {
  try {
    const answer = await hooks[question.name]?.(question.facts)
    tell({ kind: 'answer', id: question.id, answer })
  } catch (error) {
    tell({ kind: 'threw', id: question.id, reason: reasonOf(error) })
  }
}

parentPort?.on('message', (question: Asked) => void answer(question))
load().catch((error: unknown) => tell({ kind: 'broken', reason: reasonOf(error) }))
