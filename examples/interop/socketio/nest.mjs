// NestJS without a compiler: its decorators are functions, called here by hand.

import "reflect-metadata";
import common from "@nestjs/common";
import core from "@nestjs/core";
import express from "@nestjs/platform-express";
import platform from "@nestjs/platform-socket.io";
import websockets from "@nestjs/websockets";

export const { Module } = common;
export const { NestFactory } = core;
export const { ExpressAdapter } = express;
export const { IoAdapter } = platform;
export const { WsException } = websockets;

// A gateway at a namespace, with a method for each event.
export function gateway(type, namespace, events) {
  websockets.WebSocketGateway({ namespace })(type);
  for (const [event, method] of Object.entries(events)) {
    const place = Object.getOwnPropertyDescriptor(type.prototype, method);
    websockets.SubscribeMessage(event)(type.prototype, method, place);
  }
  return type;
}

// A value or a ready instance for a class.
export const provide = (token, useValue) => ({ provide: token, useValue });
