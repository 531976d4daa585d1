/**
 * ONNX Runtime 1.30 keeps a device id and a database of events below the home folder and sends them to its makers, unless
 * this is set before its library loads. Import it before `onnxruntime-node`.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
