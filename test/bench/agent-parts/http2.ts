import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';

const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, ACCOUNT: account = '' } = process.env;
const session = connect(`https://${host}:${port}`, { ca: readFileSync(join(account, 'ca.crt'), 'utf8') });
session.request({ ':path': '/api/v1/pods?watch=true' }).resume();
