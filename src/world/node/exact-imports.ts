/**
 * Our own imports name their file exactly, so there is nothing to look for: no links to follow, no
 * package.json to ask what kind of module it is. That takes a third off the CPU of a start. bin/postrider
 * preloads it into every thread; without it everything is found the long way.
 */
import { flushCompileCache, registerHooks } from 'node:module'

/** The folder of all our modules: src/, or dist/ where it is published. */
const own = new URL('../../', import.meta.url).href
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
const format = extension === '.ts' ? 'module-typescript' : 'module'

/**
 * Node keeps what it has read of its cache until it is told to let go. Told at the end alone, it leaves the process
 * with some 10 MB of holes that are too small to be given back.
 */
const FORGET_EVERY = 64
let resolved = 0

registerHooks({
  resolve(specifier, context, next) {
    const named = specifier.startsWith('.') || specifier.startsWith(own)
    if (!named || !specifier.endsWith(extension) || !context.parentURL?.startsWith(own)) {
      return next(specifier, context)
    }
    if (++resolved % FORGET_EVERY === 0) flushCompileCache()
    return { url: new URL(specifier, context.parentURL).href, format, shortCircuit: true }
  },
})
