/**
 * Our own imports name their file exactly, so there is nothing to look for: no links to follow, no
 * package.json to ask what kind of module it is. That takes a third off the CPU of a start. bin/postrider
 * preloads it into every thread; without it everything is found the long way.
 */
import { registerHooks } from 'node:module'

/** The folder of all our modules: src/, or dist/ where it is published. */
const own = new URL('../../', import.meta.url).href
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
const format = extension === '.ts' ? 'module-typescript' : 'module'

registerHooks({
  resolve(specifier, context, next) {
    const named = specifier.startsWith('.') || specifier.startsWith(own)
    if (!named || !specifier.endsWith(extension) || !context.parentURL?.startsWith(own)) {
      return next(specifier, context)
    }
    return { url: new URL(specifier, context.parentURL).href, format, shortCircuit: true }
  },
})
