/** What files outside the model's folder hold; no error may say it. */
export const canary = 'CANARY-8f2c11';
