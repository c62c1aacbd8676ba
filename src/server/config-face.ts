/**
 * What `import ... from 'postrider'` gives inside a config file: enough to write one, and nothing
 * that would load a server into the config's thread. The whole library is src/index.ts.
 */

export { formatAddress } from '../mail/address.ts'
export { accept, defer, refuse } from '../mail/verdict.ts'
export { defineConfig } from './define-config.ts'
