/**
 * One question to a running server over its control socket: HTTP on a Unix socket, JSON both ways.
 * Called by cli/call.ts; the server's end is server/control.ts.
 */
import { nodeHttp } from './node-http.ts'

export type ControlReply =
  | { readonly kind: 'answer'; readonly answer: unknown }
  /** Nobody listens there. */
  | { readonly kind: 'absent' }
  /** This user may not open the socket. */
  | { readonly kind: 'denied' }
  | { readonly kind: 'failed'; readonly reason: string }

/** An answer over this size is cut off and fails. */
const ANSWER_MAX_OCTETS = 64 * 1024 * 1024

/** Posts `input` to `/<operation>` of the server behind `socketPath`. Never rejects. */
export function askServer(
  socketPath: string,
  operation: string,
  input: unknown,
  timeoutMs: number,
): Promise<ControlReply> {
  return new Promise(resolve => {
    const body = Buffer.from(JSON.stringify(input))
    const call = nodeHttp.request(
      {
        socketPath,
        method: 'POST',
        path: `/${operation}`,
        headers: {
          host: 'localhost',
          'content-type': 'application/json',
          'content-length': body.length,
        },
        timeout: timeoutMs,
      },
      response => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > ANSWER_MAX_OCTETS) call.destroy(new Error('the answer is too long'))
          chunks.push(chunk)
        })
        response.on('end', () => {
          try {
            resolve({ kind: 'answer', answer: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
          } catch {
            resolve({ kind: 'failed', reason: `it answered ${response.statusCode} and no JSON` })
          }
        })
        response.on('error', error => resolve({ kind: 'failed', reason: error.message }))
      },
    )
    call.on('timeout', () => call.destroy(new Error('it did not answer in time')))
    call.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? ''
      if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(code)) resolve({ kind: 'absent' })
      else if (code === 'EACCES' || code === 'EPERM') resolve({ kind: 'denied' })
      else resolve({ kind: 'failed', reason: error.message })
    })
    call.end(body)
  })
}
