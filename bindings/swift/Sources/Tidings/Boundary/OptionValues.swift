import Foundation
internal import TidingsFFI

extension ChatOptions {
    func boundary(_ callbacks: Callbacks) -> ClientOptions {
        ClientOptions(
            backend: backend.boundary(callbacks),
            store: store.boundary,
            tokens: tokens.boundary(callbacks),
            settings: settings.boundary
        )
    }
}

extension Backend {
    func boundary(_ callbacks: Callbacks) -> TidingsFFI.Backend {
        switch self {
        case .consultations(let options): .consultations(options: options.boundary)
        case .socketIO(let options): .socketIo(options: options.boundary)
        case .custom(let backend):
            .custom(
                service: BoundaryService(backend, callbacks),
                capabilities: backend.capabilities.boundary)
        }
    }
}

extension ConsultationsOptions {
    var boundary: TidingsFFI.ConsultationsOptions {
        TidingsFFI.ConsultationsOptions(
            origin: origin.absoluteString,
            socketOrigin: socketOrigin?.absoluteString,
            apiKey: apiKey,
            socketAuth: socketAuth.boundary,
            dialect: dialect.boundary,
            trust: trust?.boundary,
            personas: personas,
            extensions: extensions
        )
    }
}

extension SocketIOOptions {
    var boundary: SocketIoOptions {
        SocketIoOptions(
            origin: origin.absoluteString,
            socketOrigin: socketOrigin?.absoluteString,
            apiKey: apiKey,
            account: account?.rawValue,
            trust: trust?.boundary,
            settings: settings.boundary
        )
    }
}

extension [String: String] {
    var boundary: [SettingValue] {
        sorted { $0.key < $1.key }.map { SettingValue(name: $0.key, value: $0.value) }
    }
}

extension ConsultationsOptions.Dialect {
    var boundary: TidingsFFI.Dialect {
        switch self {
        case .auto: .auto
        case .production: .production
        case .s34: .s34
        }
    }
}

extension ConsultationsOptions.SocketAuth {
    var boundary: TidingsFFI.SocketAuth {
        switch self {
        case .header: .header
        case .query: .query
        case .both: .both
        }
    }
}

extension TrustRoots {
    var boundary: TidingsFFI.TrustRoots {
        switch self {
        case .platform: .platform
        case .builtIn: .builtIn
        case .custom(let pem): .custom(pem: pem)
        }
    }
}

extension Store {
    var boundary: TidingsFFI.Store {
        switch self {
        case .memory: .memory
        case .file(let url, let options):
            .file(
                options: StoreOptions(
                    path: url.path,
                    shared: options.isShared,
                    passive: options.isPassive,
                    barrier: options.barrier,
                    unsafeNoSync: false,
                    busyTimeoutMs: options.busyTimeout.milliseconds,
                    keys: options.keys.map(BoundaryKeys.init)))
        }
    }
}

extension Tokens {
    func boundary(_ callbacks: Callbacks) -> TidingsFFI.Tokens {
        switch self {
        case .none: .none
        case .fixed(let token): .fixed(token: token)
        case .provider(let provider): .source(source: BoundaryTokens(provider, callbacks))
        }
    }
}
