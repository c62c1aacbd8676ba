/**
 * A bare server of node:tls that says one line: what a TLS connection costs in this runtime by itself. Run by
 * ../cell/readers.ts: node bare-tls.ts KEY CERTIFICATE; it prints its port.
 */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'

const [key = '', cert = ''] = process.argv.slice(2)
const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, socket => {
  socket.on('error', () => {})
  socket.on('data', () => {})
  socket.write('* OK bare\r\n')
})
server.listen(0, '127.0.0.1', 1024, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})
