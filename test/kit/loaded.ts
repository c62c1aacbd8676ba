/**
 * For `--import` of a server: at its end it writes what its main thread has loaded, files and modules of Node,
 * as lines into the file that LOADED names. Says nothing of its other threads.
 */
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const file = process.env['LOADED']
if (isMainThread && file !== undefined) {
  const urls: string[] = []
  registerHooks({
    load(url, context, next) {
      urls.push(url)
      return next(url, context)
    },
  })
  process.on('exit', () => {
    const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] }
    writeFileSync(file, [...urls, ...moduleLoadList].join('\n'))
  })
}
