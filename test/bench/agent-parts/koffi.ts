import { networkNamespaceCookie } from '../../../src/kernel/syscall.ts';

networkNamespaceCookie();
