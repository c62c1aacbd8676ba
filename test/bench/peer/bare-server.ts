/**
 * A bare receiver in Node that keeps nothing: the most that a server in this runtime could reach with
 * this load. It knows just what the load generators say. Run by bare.ts: node bare-server.ts PORT [KEY CERTIFICATE].
 */
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

const END = Buffer.from('\r\n.\r\n')

const [port, key, certificate] = process.argv.slice(2)
const secureContext =
  key === undefined || certificate === undefined
    ? undefined
    : createSecureContext({ key: readFileSync(key), cert: readFileSync(certificate) })

createServer({ noDelay: true }, socket => {
  socket.write('220 bare ESMTP\r\n')
  serve(socket)
}).listen(Number(port), '127.0.0.1', 1024)

function serve(socket: Socket): void {
  let content = false
  let kept: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', octets => {
    let rest = kept.length > 0 ? Buffer.concat([kept, octets]) : octets
    for (;;) {
      if (content) {
        const end = rest.indexOf(END)
        // A terminator may lie across two reads: its first octets are kept.
        if (end < 0) {
          kept = rest.subarray(Math.max(0, rest.length - 4))
          return
        }
        content = false
        rest = rest.subarray(end + 5)
        socket.write('250 2.0.0 gone\r\n')
      }
      const end = rest.indexOf('\r\n')
      if (end < 0) {
        kept = rest
        return
      }
      const verb = rest.toString('latin1', 0, Math.min(4, end)).toUpperCase()
      rest = rest.subarray(end + 2)
      if (verb === 'DATA') {
        content = true
        socket.write('354 go\r\n')
      } else if (verb === 'QUIT') socket.end('221 bye\r\n')
      else if (verb === 'STAR' && secureContext) {
        socket.write('220 go\r\n')
        socket.removeAllListeners('data')
        serve(new TLSSocket(socket, { isServer: true, secureContext }))
        return
      } else socket.write('250 ok\r\n')
    }
  })
}
