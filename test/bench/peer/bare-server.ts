/**
 * A bare receiver in Node that keeps nothing: the most that a server in this runtime could reach with
 * this load. It knows just what smtp-source says. Run by bare.ts: node bare-server.ts PORT.
 */
import { createServer } from 'node:net'

const END = Buffer.from('\r\n.\r\n')

createServer({ noDelay: true }, socket => {
  let content = false
  let kept: Buffer = Buffer.alloc(0)
  socket.write('220 bare ESMTP\r\n')
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
      else socket.write('250 ok\r\n')
    }
  })
}).listen(Number(process.argv[2]), '127.0.0.1', 1024)
