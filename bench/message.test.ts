import { expect, test } from 'vitest';
import { toReason } from './message.ts';

test.each([
  [
    'Traceback\nFileNotFoundError: no model.onnx\nERROR:    Application startup failed.\n',
    'FileNotFoundError: no model.onnx',
  ],
  ['    throw new Error(x)\n\nError: no such setting\n    at file.js:1\n\nNode.js v20\n', 'Error: no such setting'],
  ['Error [ERR_X]: cannot find it\n', 'Error [ERR_X]: cannot find it'],
  ['error: 8bit is not built yet\n', 'error: 8bit is not built yet'],
  ['Killed\n', 'Killed'],
  ['', ''],
])('the reason is the last error of a program that ended', (output, reason) => {
  expect(toReason(output)).toBe(reason);
});
