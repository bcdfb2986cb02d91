/**
 * What an adopter's module gets from `require('relink')`. Nothing of it has to be used: a plain object is a definition
 * too, and an error whose `name` is `HandlerError` is one.
 */
export { z } from 'zod';
export { defineIntegration } from './definition.js';
export type { EnsuredSubscription, InboundDelivery, IntegrationDefinition, WebhookPolicy } from './definition.js';
export { HandlerError } from './handler-context.js';
export type { HandlerContext, HandlerLog, ProviderRequest, ProviderResponse } from './handler-context.js';
