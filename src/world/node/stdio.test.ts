/** Standard input and output as a connection, over streams in memory. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { stdioConnection } from './stdio.ts'

test('input is received, output written, and the end of our output closes', async () => {
  const input = new PassThrough()
  const output = new PassThrough()
  const connection = stdioConnection(input, output)
  const heard: string[] = []
  const closed = new Promise<void>(resolve => {
    connection.open({
      received: octets => heard.push(Buffer.from(octets).toString()),
      ended: () => connection.end(),
      drained: () => {},
      closed: () => resolve(),
    })
  })
  connection.write('220 hello\r\n')
  input.end('QUIT\r\n')
  await closed
  assert.deepEqual(heard, ['QUIT\r\n'])
  assert.equal(String(output.read()), '220 hello\r\n')
  await assert.rejects(connection.secure({ side: 'server', identity: { current: () => ({}) } }))
})
