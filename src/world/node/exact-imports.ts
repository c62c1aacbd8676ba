/**
 * Our own imports name their file exactly, and so do those of packages within themselves: there is nothing to look
 * for, no links to follow, no package.json to ask what kind of module ours are. That takes a third off the CPU of a
 * start. bin/postrider preloads it into every thread; without it everything is found the long way.
 */
import { flushCompileCache, registerHooks } from 'node:module'

/** The folder of all our modules: src/, or dist/ where it is published. */
const own = new URL('../../', import.meta.url).href
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
const format = extension === '.ts' ? 'module-typescript' : 'module'

/**
 * zod carries its texts in sixty languages, a module each, and its own index loads them all: two thirds of what it
 * takes to have zod. What we say stands in settings/errors.ts; English is what zod itself speaks by default.
 */
const LANGUAGES = '../locales/index.js'
const ENGLISH = '../locales/en.js'
const ZOD = '/node_modules/zod/'

/**
 * Node keeps what it has read of its cache until it is told to let go. Told at the end alone, it leaves the process
 * with some 10 MB of holes that are too small to be given back.
 */
const FORGET_EVERY = 64
let resolved = 0

/** Whether a module of a package imports another of the same: `require`, which looks for names without an ending, is left alone. */
function isWithinPackage(
  specifier: string,
  parent: string,
  conditions: readonly string[],
): boolean {
  if (!specifier.startsWith('.') || !/\.m?js$/.test(specifier)) return false
  return parent.includes('/node_modules/') && conditions.includes('import')
}

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL: parent = '', conditions } = context
    if (isWithinPackage(specifier, parent, conditions)) {
      const named = specifier === LANGUAGES && parent.includes(ZOD) ? ENGLISH : specifier
      return { url: new URL(named, parent).href, shortCircuit: true }
    }
    const named = specifier.startsWith('.') || specifier.startsWith(own)
    if (!named || !specifier.endsWith(extension) || !parent.startsWith(own)) {
      return next(specifier, context)
    }
    if (++resolved % FORGET_EVERY === 0) flushCompileCache()
    return { url: new URL(specifier, parent).href, format, shortCircuit: true }
  },
})
