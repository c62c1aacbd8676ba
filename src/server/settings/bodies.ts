/**
 * The settings of where messages' bodies are kept: in a directory, in the database, or in S3-compatible
 * object storage. Made into a disk by bodies.ts.
 */
import { z } from 'zod'
import { duration, secret, size } from './kinds.ts'

/** What an accept transaction carries at most. */
const INLINE_MAX_OCTETS = 131_072

const s3 = z.strictObject({
  endpoint: z
    .string()
    .regex(/^https?:\/\/[^\s/]+\/?$/, 'is no http(s)://HOST or http(s)://HOST:PORT')
    .describe('Where the storage is, without the bucket.'),
  region: z.string().min(1).default('us-east-1').describe('Its region, as signatures name it.'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,62}$/, 'is no name of a bucket')
    .describe('The bucket; it must be there.'),
  prefix: z
    .string()
    .max(200)
    .regex(/^[\w./-]*$/, 'may hold letters, digits and . _ - / only')
    .default('postrider/')
    .describe('What every key begins with.'),
  accessKey: secret().describe('The key to it.'),
  secretKey: secret().describe('The secret of that key.'),
})

/** `bodies`, with its defaults. */
export const bodiesSchema = z.strictObject({
  in: z
    .enum(['directory', 'database', 's3'])
    .exactOptional()
    .describe(
      'Where large bodies are kept. Absent: `directory` with SQLite, `database` with PostgreSQL.',
    ),
  directory: z
    .string()
    .min(1)
    .exactOptional()
    .describe('The folder for `directory`; all nodes share it. Absent: in the data folder.'),
  inlineUpTo: size(0)
    .refine(octets => octets <= INLINE_MAX_OCTETS, 'is more than 128KB')
    .exactOptional()
    .describe(
      'Bodies up to here stay in their row of the database; 0 leaves none there. Absent: 128KB.',
    ),
  grace: duration(300_000)
    .prefault('1h')
    .describe('How long a body that nothing names stays, where other nodes may be reading it.'),
  s3: s3.exactOptional().describe('The bucket for `s3`, and for what was put there before.'),
})
